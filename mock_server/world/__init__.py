"""The state of one isolated world: who exists, who may do what for whom, and what was sent."""
