"""Ask a running thing whether it works, from outside, as its visitors would."""
