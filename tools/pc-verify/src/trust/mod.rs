//! Whom to trust: keys, identities, roots, policies, exceptions.
