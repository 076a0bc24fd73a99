"""What people do with a running study: one function per deed, one transaction per deed, roles in one place."""
