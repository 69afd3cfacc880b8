"""Cases with known answers: what the tool says beside what is known."""
