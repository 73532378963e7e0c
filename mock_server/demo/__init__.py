"""The demo world: the guide's six examples, both kinds of software vendor, a training provider, and their keys."""
