"""Statistics on arrays and long tables; this room knows nothing about trials."""
