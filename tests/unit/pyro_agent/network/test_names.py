from pyro_agent.network.names import Placeholders


def test_a_name_keeps_its_address() -> None:
    names = Placeholders()
    first = names.address_of("pypi.org")
    assert first == "198.18.1.0"
    assert names.address_of("deb.debian.org") == "198.18.1.1"
    assert names.address_of("pypi.org") == first
    assert names.name_of(first) == "pypi.org"
    assert names.name_of("198.18.9.9") is None


def test_the_name_unused_for_longest_gives_its_address_away() -> None:
    names = Placeholders(most=3)
    addresses = {name: names.address_of(name) for name in ("a", "b", "c")}
    names.name_of(addresses["a"])  # somebody connects to it
    assert names.address_of("d") == addresses["b"]
    assert names.name_of(addresses["b"]) == "d"
    assert names.name_of(addresses["a"]) == "a"


def test_addresses_stay_within_the_range_set_apart() -> None:
    names = Placeholders()
    last = [names.address_of(f"n{number}") for number in range(20_000)][16 * 1024 - 1]
    assert last == "198.18.64.255"
