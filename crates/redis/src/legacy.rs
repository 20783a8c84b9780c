//! Reading the keys of the coordination system that Mainstay replaces.
