"""A BentoML service that does nothing: what a request costs before anybody does anything.

`bentoml serve benchmarks.nothing:Nothing`
"""

import bentoml


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Nothing:
    """Answers at once."""

    @bentoml.api(route="/nothing")
    def nothing(self) -> dict:
        """Give an empty answer."""
        return {}
