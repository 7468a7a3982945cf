# SPDX-License-Identifier: Apache-2.0
"""How the emulator behaves where the real service may, and the answers to
questions that the documentation leaves open: a test chooses, so that a client
is tried with either."""
import dataclasses


@dataclasses.dataclass
class Settings:
    # ---- time ----
    clock_offset: float = 0.0  # seconds that the cloud's clock is ahead
    security_token_seconds: int = 3600  # federation, OKE, session tokens
    registry_token_seconds: int = 3600

    # ---- control plane ----
    default_page: int = 100  # items of a page when no limit is asked for
    max_page: int = 1000  # a page is never longer, whatever the limit
    empty_pages: int = 0  # before each page that has items
    free_tier: bool = False  # Artifacts answers FREE_TIER_NOT_SUPPORTED
    repository_limit: int = 500
    image_rows: str = "image"  # or "version": a row for each tag
    subtree: str = "refused"  # without rights on the tenancy; or "filtered"
    name_taken_code: str = "NAMESPACE_CONFLICT"  # of the 409; not documented
    immutable: str = "refused"  # to set isImmutable; or "taken", as documented

    # ---- the registry's door ----
    immutable_status: int = 409  # for moving a tag that may not move
    forbidden_status: int = 403  # known, but not permitted; or 404
    manifest_conflicts: bool = False  # 409 to manifest PUTs side by side
    manifest_put_seconds: float = 0.0  # how long such a PUT takes at least
    ranges: bool = True  # False: Range is ignored, 200 with everything
    redirects: bool = False  # 307 of blobs to a host that wants no token
    mounts: bool = True  # False: a cross-repository mount answers 202
    delete_by_tag: bool = False  # DELETE manifests/<tag>; else 405
    repeated_scope: bool = True  # False: two scopes are a 400
    tags_page: int = 0  # tags of a page when no n is asked for; 0: all
    catalog_status: int = 403

    # ---- metadata, OKE ----
    region_form: str = "key"  # of instance/region; or "identifier"
    oke_quotes: bool = False  # the token's base64 in double quotes

    def change(self, values):
        """Several at once or, when one is wrong, none: ValueError."""
        kinds = {f.name: type(getattr(self, f.name))
                 for f in dataclasses.fields(self)}
        for name, value in values.items():
            kind = kinds.get(name)
            if kind is None:
                raise ValueError(f"there is no setting '{name}'")
            if kind is float and type(value) is int:
                value = float(value)
            if type(value) is not kind:
                raise ValueError(f"'{name}' must be a {kind.__name__}")
        for name, value in values.items():
            setattr(self, name, kinds[name](value))

    def as_dict(self):
        return dataclasses.asdict(self)
