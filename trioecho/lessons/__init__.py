"""Lessons: what goes wrong on a wire, each as a TOML file, performed on real kernels."""
