"""Labelled runs: connections on our wire whose time goes to causes that are known."""
