"""`python -m smartos_wizard` is the command `smartos-wizard`."""

from smartos_wizard.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
