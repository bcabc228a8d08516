"""What every tier of the tests shares."""
