"""Finite fields GF(pᵏ), small enough to be written down: elements are numbers 0 … q−1, read as polynomials over Z_p."""

from functools import cache
from itertools import product

Element = int


def prime_power(number: int) -> tuple[int, int] | None:
    """(p, k) with pᵏ = number and p prime, or None."""
    for prime in range(2, number + 1):
        if number % prime == 0:
            power = 0
            while number % prime == 0:
                number //= prime
                power += 1
            return (prime, power) if number == 1 else None
    return None


class Field:
    """Arithmetic in GF(q). Raises ValueError where q is no prime power."""

    def __init__(self, order: int) -> None:
        found = prime_power(order)
        if found is None:
            raise ValueError(f"{order} is no prime power")
        self.order = order
        self.prime, self.degree = found
        self._modulus = _irreducible(self.prime, self.degree)

    def add(self, one: Element, other: Element) -> Element:
        """The sum."""
        digits = zip(self._digits(one), self._digits(other), strict=True)
        return self._number([(a + b) % self.prime for a, b in digits])

    def multiply(self, one: Element, other: Element) -> Element:
        """The product."""
        result = [0] * (2 * self.degree - 1)
        for i, a in enumerate(self._digits(one)):
            for j, b in enumerate(self._digits(other)):
                result[i + j] = (result[i + j] + a * b) % self.prime
        return self._number(_reduced(result, self._modulus, self.prime))

    def _digits(self, element: Element) -> list[int]:
        digits = []
        for _ in range(self.degree):
            element, digit = divmod(element, self.prime)
            digits.append(digit)
        return digits

    def _number(self, digits: list[int]) -> Element:
        number = 0
        for digit in reversed(digits):
            number = number * self.prime + digit
        return number


def _reduced(polynomial: list[int], modulus: tuple[int, ...], prime: int) -> list[int]:
    """The rest of the division by a monic polynomial; coefficients stand with the lowest first."""
    degree, rest = len(modulus) - 1, polynomial[:]
    for place in range(len(rest) - 1, degree - 1, -1):
        factor, rest[place] = rest[place], 0
        for shift in range(degree):
            rest[place - degree + shift] = (rest[place - degree + shift] - factor * modulus[shift]) % prime
    return rest[:degree]


@cache
def _irreducible(prime: int, degree: int) -> tuple[int, ...]:
    """The first monic polynomial of this degree that no smaller monic polynomial divides."""
    for low in product(range(prime), repeat=degree):
        candidate = (*low, 1)
        divisors = (
            (*part, 1) for size in range(1, degree // 2 + 1) for part in product(range(prime), repeat=size)
        )
        if all(any(_reduced(list(candidate), divisor, prime)) for divisor in divisors):
            return candidate
    raise AssertionError("there is an irreducible polynomial of every degree")
