"""What stands before every API of the channel: access token, scope, problems, trace id."""
