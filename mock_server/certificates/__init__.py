"""Certificates: reading them in every common form, what ChaMan accepts, and making test certificates."""
