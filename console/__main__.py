"""`python -m console` does what `logarchive` does, in a clone where nothing was installed."""

from console.app import main

if __name__ == "__main__":
    main()
