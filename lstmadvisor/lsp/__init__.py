"""The language server: diagnostics while typing, quick fixes and pages of rules, for files and notebooks."""
