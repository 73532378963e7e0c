"""The APIs behind the channel: a contract is loaded, its routes are guarded, validated and answered by convention."""
