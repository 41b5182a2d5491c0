"""Mutual information inside a training loop: regularizer, gradient scaling, information plane."""

from mibounds.representation.gradients import clipped_backward, gradient_scale
from mibounds.representation.information_plane import InformationPlane
from mibounds.representation.regularizer import MIRegularizer

__all__ = ["InformationPlane", "MIRegularizer", "clipped_backward", "gradient_scale"]
