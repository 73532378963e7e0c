"""A local mock of the Belgian social security's REST channel and of the FLA API behind it."""

__version__ = "0.1.0"
