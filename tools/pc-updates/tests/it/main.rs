//! pc-updates against a registry that counts what it is asked, and against others' cases.

mod families;
