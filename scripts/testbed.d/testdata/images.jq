# The images of testdata/layouts, as specifications for `oci-images build`:
# jq -n -f images.jq. What a word means is in oci/cmd/oci-images/images.go; two
# more are for make-testdata: `registry` is the one it is pushed to (and so
# whether what refers to it hangs on the referrers API or on a fallback tag),
# and `keep` is false for what the layout shall not have.

def both: ["linux/amd64", "linux/arm64"];

def image($host; $path; $version; $created):
  {
    id: "\($path):\($version)",
    registry: "oci",
    keep: true,
    repository: "\($host)/\($path)",
    name: $path,
    tags: [$version],
    platforms: both,
    version: $version,
    created: $created,
    source: "https://git.example.com/\($path)",
    base: "debian-12-slim"
  };

def company($path; $version; $created): image("registry.example.com"; $path; $version; $created);
def mirror($path; $version; $created): image("mirror.example.net"; $path; $version; $created);
def from_hub($name): .base = "debian-13-slim" | .source = "https://github.com/docker-library/\($name)";
def hub($name; $version; $created): image("docker.io"; "library/\($name)"; $version; $created)
    | from_hub($name);

[
  # Signed by cosign 3 (bundles behind the referrers API), with provenance and SBOM.
  company("shop/web"; "2.3.0"; "2026-07-02T08:12:44Z"),
  company("shop/web"; "2.4.1"; "2026-09-30T14:05:10Z"),
  (company("shop/web"; "2.5.0"; "2026-11-12T09:41:02Z") | .tags += ["latest"]),

  # Attested by BuildKit inside the index, nothing is signed.
  (company("shop/cart"; "3.2.0"; "2026-10-08T11:20:31Z") | .attested = true),
  (company("shop/cart"; "3.2.1"; "2026-11-03T16:02:55Z") | .attested = true),

  # A tag that moved: the first is what runs, the second what the tag means now.
  (company("shop/search"; "1.17.2"; "2026-08-19T07:30:00Z") | .id = "shop/search-moved" | .tags = []),
  (company("shop/search"; "1.18.0"; "2026-11-10T07:30:00Z") | .tags = ["stable", "1.18.0"]),

  # One platform, no index, unsigned.
  (company("shop/worker"; "1.9.3"; "2026-06-11T10:00:00Z") | .platforms = ["linux/amd64"] | .single = true),
  (company("shop/banner"; "0.3.1"; "2026-05-27T15:45:12Z") | .platforms = ["linux/arm64"] | .single = true),

  company("shop/checkout"; "1.4.0"; "2026-10-21T12:00:00Z"),
  company("shop/recommendations"; "2.0.0-rc.1"; "2026-11-18T18:22:07Z"),
  company("shop/models"; "2026-11"; "2026-11-01T02:00:00Z"),
  company("shop/legacy-import"; "0.9.8"; "2025-02-14T09:00:00Z"),

  # Signed by cosign 3 at a registry without the referrers API: fallback tags.
  (company("bank/pay"; "5.0.2"; "2026-08-25T13:37:00Z") | .registry = "distribution"),
  (company("bank/pay"; "5.1.0"; "2026-11-19T13:37:00Z") | .registry = "distribution"),

  # Signed in the old way: a tag sha256-….sig.
  company("bank/ledger"; "3.7.0"; "2026-04-30T06:15:00Z"),

  # The tag moved and what runs was deleted at the registry.
  (company("bank/fraud"; "0.9.4"; "2026-07-15T09:09:09Z") | .id = "bank/fraud-deleted" | .tags = [] | .keep = false),
  (company("bank/fraud"; "0.9.5"; "2026-11-05T09:09:09Z") | .tags = ["0.9", "0.9.5"]),

  # Runs by its configuration's digest.
  company("bank/audit"; "1.2.4"; "2026-03-03T20:10:00Z"),
  (company("batch/report"; "2026.11.0"; "2026-11-02T04:00:00Z") | .platforms = ["linux/amd64"] | .single = true),

  # Tag and manifest are gone, the repository is there.
  (company("batch/cleanup"; "1.2.0"; "2025-11-20T10:10:10Z") | .tags = [] | .keep = false),
  company("batch/cleanup"; "1.3.0"; "2026-10-10T10:10:10Z"),

  company("batch/importer"; "4.0.1"; "2026-09-09T09:00:00Z"),

  # The index was made anew with one platform more; the child for amd64 stayed.
  (mirror("platform/proxy"; "1.30.2"; "2026-08-01T00:00:00Z") | .id = "platform/proxy-before" | .tags = [] | .platforms = ["linux/amd64"]),
  (mirror("platform/proxy"; "1.30.2"; "2026-08-01T00:00:00Z") | .tags = ["1.30", "1.30.2"]),

  mirror("platform/fluent-bit"; "3.2.10"; "2026-09-17T08:00:00Z"),
  # The same bytes as docker.io's: a pull-through mirror.
  (mirror("library/redis"; "7.4.1"; "2026-09-01T01:00:00Z") | from_hub("redis") | .id = "mirror/redis:7.4.1" | .tags = ["7.4", "7.4.1"]),
  mirror("kubernetes/kube-apiserver"; "v1.35.4"; "2026-10-14T19:00:00Z"),
  mirror("kubernetes/kube-proxy"; "v1.35.4"; "2026-10-14T19:00:00Z"),
  mirror("kubernetes/coredns"; "v1.12.4"; "2026-06-20T19:00:00Z"),

  (hub("redis"; "7.4.1"; "2026-09-01T01:00:00Z") | .tags = ["7.4", "7.4.1"]),
  hub("redis"; "8.2.2"; "2026-10-20T01:00:00Z"),
  (hub("nginx"; "1.27.5"; "2026-04-16T23:00:00Z") | .tags = ["1.27", "1.27.5"]),
  (hub("nginx"; "1.29.3"; "2026-10-28T23:00:00Z") | .tags = ["1.29", "1.29.3", "latest"]),
  hub("busybox"; "1.37"; "2026-09-26T21:00:00Z"),
  (hub("postgres"; "16.6"; "2026-02-24T22:00:00Z") | .tags = ["16", "16.6"] | .docker = true),
  (hub("postgres"; "17.2"; "2026-10-24T22:00:00Z") | .tags = ["17", "17.2"] | .docker = true)
]
