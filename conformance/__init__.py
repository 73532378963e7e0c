"""The conformance test kit for clients and servers of the social security's REST channel."""
