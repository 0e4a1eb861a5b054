"""Loads one file of an installed package without the package around it, which imports what its API client needs."""

import importlib.util


def load(package, file):
    directory = importlib.util.find_spec(package).submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location(f"{package}_alone", f"{directory}/{file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
