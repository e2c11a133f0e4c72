"""What no command may show: messages that libraries write past Python."""

import re

LIBRARIES = re.compile(
    r"absl|oneDNN|XNNPACK|cpu_feature_guard|TensorFlow|tf2onnx|[IWE]0000 |cuda", re.IGNORECASE
)


def lines(stderr):
    """Lines of libraries among what a command wrote."""
    return [line for line in stderr.splitlines() if LIBRARIES.search(line)]
