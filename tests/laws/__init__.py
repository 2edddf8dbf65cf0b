"""Laws of the token on random processes: the kernel beside a reference model of its own."""
