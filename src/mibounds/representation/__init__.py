"""Mutual information inside a training loop: regularizer, gradient scaling, information plane."""

from mibounds.representation.encoder_information import encoder_information
from mibounds.representation.gradients import clipped_backward, gradient_scale
from mibounds.representation.information_plane import InformationPlane
from mibounds.representation.regularizer import MIRegularizer

__all__ = ["InformationPlane", "MIRegularizer", "clipped_backward", "encoder_information", "gradient_scale"]
