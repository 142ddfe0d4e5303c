"""`container:` of a grid and of a site file: the image that training runs in."""

from pcm.config.shapes import MapOf, OneOf, Record

CONTAINER = Record(
    optional={
        "image": (None, str),
        "code": (None, OneOf(("baked", "snapshot"), "code to run")),
        "binds": (None, [str]),
        "nv": (None, bool, OneOf(("auto",), "way to bring the GPU driver in")),
        "scratch": (None, str),
        "stage": (None, str),
        "environment": (None, MapOf((None, str))),
    }
)
"""`environment: {HF_TOKEN: }` passes a variable on, `{NAME: "value"}` sets one."""
