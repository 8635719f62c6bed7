// references prints image references with what distribution/reference, which
// the container runtimes use, makes of them: one JSON object a line.
//
// The references are made from parts, form by form, so that every form meets
// every other one that matters.
package main

import (
	// The runtimes know these digests.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"os"
	"strings"

	"github.com/distribution/reference"
)

// answer is one line. Only a field that has a value is written.
type answer struct {
	Input string `json:"input"`
	// Form says what is special about it.
	Form         string `json:"form"`
	Domain       string `json:"domain,omitempty"`
	Path         string `json:"path,omitempty"`
	Tag          string `json:"tag,omitempty"`
	Digest       string `json:"digest,omitempty"`
	DockerRef    string `json:"docker_ref,omitempty"`
	Familiar     string `json:"familiar,omitempty"`
	TagDefaulted bool   `json:"tag_defaulted,omitempty"`
	Err          string `json:"err,omitempty"`
	AnyDigest    string `json:"any_digest,omitempty"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	seen := map[string]bool{}
	for _, form := range forms() {
		for _, input := range form.inputs {
			if seen[input] {
				continue
			}
			seen[input] = true
			if err := out.Encode(ask(form.name, input)); err != nil {
				panic(err)
			}
		}
	}
}

// ask is what Go says of a reference.
func ask(form, input string) answer {
	found := answer{Input: input, Form: form}
	if any, err := reference.ParseAnyReference(input); err == nil {
		// A bare digest or image id is no name.
		if _, named := any.(reference.Named); !named {
			found.AnyDigest = any.String()
		}
	}
	named, err := reference.ParseNormalizedNamed(input)
	if err != nil {
		found.Err = err.Error()
		return found
	}
	found.TagDefaulted = reference.IsNameOnly(named)
	found.Familiar = reference.FamiliarString(named)
	docker, err := reference.ParseDockerRef(input)
	if err != nil {
		panic(err)
	}
	found.DockerRef = docker.String()
	full := reference.TagNameOnly(named)
	found.Domain, found.Path = reference.Domain(full), reference.Path(full)
	if tagged, ok := full.(reference.Tagged); ok {
		found.Tag = tagged.Tag()
	}
	if digested, ok := full.(reference.Digested); ok {
		found.Digest = digested.Digest().String()
	}
	return found
}

type form struct {
	name   string
	inputs []string
}

var (
	sha256 = "sha256:" + strings.Repeat("0123456789abcdef", 4)
	sha512 = "sha512:" + strings.Repeat("0123456789abcdef", 8)
	hex    = strings.Repeat("0123456789abcdef", 4)
)

// forms are all references, by what is special about them.
func forms() []form {
	return []form{
		{"short name", []string{
			"nginx", "library/nginx", "docker.io/nginx", "docker.io/library/nginx",
			"index.docker.io/nginx", "index.docker.io/library/nginx", "bitnami/redis",
			"docker.io/bitnami/redis", "a/b/c", "a", "1", "0/1", "library", "library/library/x",
		}},
		{"host", each(
			[]string{
				"ghcr.io", "registry.example.com", "registry.example.com:5000", "localhost",
				"localhost:5000", "x:1", "10.0.0.1", "10.0.0.1:5000", "a.b", "a-b.c-d.e",
				"xn--bcher-kva.example",
			},
			"%/shop/web", "%/web", "%/shop/web:1.4",
		)},
		{"host without a path", []string{
			"ghcr.io", "ghcr.io/", "localhost", "localhost:5000", "localhost:5000/",
			"registry.example.com:5000", "10.0.0.1:5000",
		}},
		{"IPv6 host", each(
			[]string{
				"[::1]", "[::1]:5000", "[2001:db8::7]", "[2001:db8::7]:443",
				"[2001:DB8:0:0:0:0:0:7]", "[::ffff:10.0.0.1]", "[fe80::1%25eth0]", "2001:db8::7",
				"[]", "[::1", "[::g]", "[::1]x",
			},
			"%/shop/web", "%/web:1",
		)},
		{"IPv6 host without a path", []string{"[::1]", "[::1]:5000", "[2001:db8::7]:tag"}},
		{"upper case in the first part", []string{
			"LOCALDOMAIN/web", "LocalDomain/web:1", "Shop/web", "SHOP/web/x", "sHop/web@" + sha256,
			"GHCR.IO/shop/web", "Registry.Example.com/web", "LOCALHOST/web", "LOCALHOST:5000/web",
			"DOCKER.IO/nginx",
		}},
		{"upper case elsewhere", []string{
			"Nginx", "NGINX:1", "shop/Web", "ghcr.io/Shop/web", "ghcr.io/shop/WEB:1",
			"localhost:5000/shop/Web@" + sha256, "nginx:RC-1", "nginx:Latest",
		}},
		{"image id", []string{
			hex, strings.ToUpper(hex), hex[:63], hex + "0", hex[:12], "library/" + hex,
			"docker.io/" + hex, "ghcr.io/" + hex, hex + ":1", hex + "@" + sha256, "sha256:" + hex,
			"sha512:" + hex + hex, "sha256:" + strings.ToUpper(hex), "sha256:" + hex[:63],
		}},
		{"tag", each(
			[]string{
				"1", "1.27", "v1.2.3-rc.1_x86", "_", "_x", "-x", ".x", "x-", "x.", "latest", "a+b",
				"1:2", "1/2", "", strings.Repeat("t", 128), strings.Repeat("t", 129), "٣", "1.２",
				"été", "1 ", "1\n", "1\x00", "sha256-" + hex,
			},
			"nginx:%", "ghcr.io/shop/web:%",
		)},
		{"digest", each(
			[]string{
				sha256, sha512, "sha256:" + strings.ToUpper(hex), "sha256:" + hex[:63],
				"sha256:" + hex + "0", "sha256:" + strings.Repeat("g", 64), "sha512:" + hex,
				"sha384:" + hex + hex[:32], "sha1:" + hex[:40], "md5:" + hex[:32], "SHA256:" + hex,
				"sha256+b64u:" + hex, "sha256", "sha256:", ":" + hex, "", hex,
			},
			"nginx@%", "ghcr.io/shop/web@%",
		)},
		{"tag and digest", each(
			[]string{"@" + sha256, "@" + sha512, "@sha256:" + hex[:10], "@" + sha256 + ":2", "@" + sha256 + "@" + sha256},
			"nginx:1.27%", "localhost:5000/web:1%",
		)},
		{"separators in the path", each(
			[]string{
				"a.b", "a_b", "a__b", "a___b", "a-b", "a---b", "a..b", "a._b", "-a", "a-", "_a",
				"a_", ".a", "a.", "a//b", "/a", "a/", "a/./b", "a/../b", "a$b", "a~b", "a b", "ä",
				"a\tb", "a\u202eb", "a\u200bb",
			},
			"ghcr.io/%", "shop/%:1",
		)},
		{"host that is none", []string{
			"-ghcr.io/web", "ghcr.io-/web", "ghcr..io/web", ".ghcr.io/web", "gh_cr.io/web",
			"ghcr.io:/web", "ghcr.io:x/web", "ghcr.io:5000:1/web", "ghcr.io:99999/web",
			"user@ghcr.io/web", "user:pass@ghcr.io/web", "ghcr.io.:5000/web",
		}},
		{"scheme", []string{
			"https://ghcr.io/shop/web", "http://localhost:5000/web", "docker://nginx",
			"oci:nginx", "docker-pullable://nginx@" + sha256,
		}},
		{"length of the path", []string{
			"ghcr.io/" + strings.Repeat("a", 247), "ghcr.io/" + strings.Repeat("a", 248),
			"ghcr.io/" + strings.Repeat("a", 255), "ghcr.io/" + strings.Repeat("a", 256),
			strings.Repeat("a/", 127) + "a", strings.Repeat("a/", 128) + "a",
			strings.Repeat("a", 256),
		}},
		{"blanks and nothing", []string{
			"", " ", "\n", " nginx", "nginx ", "nginx\n", "\tnginx", ":", ":1", "@", "@" + sha256,
			"/", "//", "-", ".", "_", "\x00", "\ufeffnginx",
		}},
	}
}

// each puts every part into every frame, where `%` stands.
func each(parts []string, frames ...string) []string {
	var all []string
	for _, part := range parts {
		for _, frame := range frames {
			all = append(all, strings.Replace(frame, "%", part, 1))
		}
	}
	return all
}
