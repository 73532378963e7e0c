"""The token endpoint, one module a step: policy, form, assertion, claims, grant, access token, endpoint."""
