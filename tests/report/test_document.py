from mibounds.report import document_page

MARKDOWN = """# Errors of `all`

![How far <off>](far.png)

| task | error |
|---|--:|
| `a <b>` | 0.5 |

![Not here](other.png) <script>alert(1)</script>
"""


def test_headings_tables_and_figures():
    page = document_page(MARKDOWN, {"far.png": "<svg></svg>"})
    assert "<title>Errors of `all`</title>" in page
    assert "<figure><svg></svg><figcaption>How far &lt;off&gt;</figcaption></figure>" in page
    assert '<th scope="col">task</th>' in page
    assert '<th scope="col" style="text-align:right">error</th>' in page
    assert page.count('<div class="wide"') == page.count("</table></div>") == 1
    assert "<p><figure>" not in page


def test_other_images_and_html_become_text():
    page = document_page(MARKDOWN, {})
    assert "<img" not in page
    assert "Not here" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
