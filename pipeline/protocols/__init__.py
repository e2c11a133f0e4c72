"""Who trains and who is tested, and what leaks from one to the other."""
