"""What an enterprise does on the portal before it calls an API: access management, ChaMan, MAHIS (guide §4, §5)."""
