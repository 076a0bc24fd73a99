"""Named steps that bring a store's tables to what this version expects; alembic runs them."""
