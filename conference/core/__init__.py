"""Pure thinking: plain data in, plain data out. No Flask, no database, no clock, nothing of ours from outside."""
