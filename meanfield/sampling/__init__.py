"""Networks of finite width: drawn, run, and their FIM measured."""
