"""Runs every check against a server binary: python run.py BINARY [AREA[.check]]…"""
import importlib
import inspect
import pkgutil
import sys
import time
import traceback

import checks


def wanted(names):
    for module in sorted(module.name for module in pkgutil.iter_modules(checks.__path__)):
        area = importlib.import_module(f"checks.{module}")
        for name, check in inspect.getmembers(area, inspect.isfunction):
            if name.startswith("check_") and check.__module__ == area.__name__:
                if not names or any(f"{module}.{name}".startswith(part) for part in names):
                    yield f"{module}.{name}", check


def main(binary, names):
    world = checks.World(binary)
    try:
        for world.at, check in wanted(names):
            start = time.monotonic()
            try:
                check(world)
            except Exception as error:  # a check that cannot go on is one failed check
                world.count += 1
                where = traceback.extract_tb(error.__traceback__)
                line = next(f"{step.filename.rsplit('/', 1)[-1]}:{step.lineno}" for step in reversed(where)
                            if "checks" in step.filename)
                world.failures.append((world.at, f"goes on to the end (line {line})", "no error", repr(error)))
            if (took := time.monotonic() - start) > 5:
                print(f"slow: {world.at} took {took:.1f} s", file=sys.stderr)
    finally:
        world.server.stop()
        world.server.folder.cleanup()
    for at, says, want, got in world.failures:
        print(" | ".join((f"FAIL {at}", f"contract: {says}", f"expected: {want[:400]}", f"came: {got[:600]}")))
    print(f"{world.count} checks, {len(world.failures)} failed")
    return 1 if world.failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
