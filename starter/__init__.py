"""How the bundled starter checkpoint was made: ``python -m starter all``."""
