//! Judging one piece of evidence: cryptography, time, chain, and what it is about.
