// Command oci-images makes small test images that are the same bytes each
// time, and moves whole repositories between registries and OCI image layouts.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  oci-images build HOST[/PREFIX] < SPEC > DIGESTS
        make the images of SPEC (a JSON array, see images.go) and push them to
        HOST/PREFIX/<repository>; DIGESTS tells what each became
  oci-images predicate slsa|spdx < SPEC > PREDICATE
        the predicate that an attestation manifest of SPEC's only image would have
  oci-images pull HOST/REPOSITORY DIRECTORY [DIGEST...]
        write every tag, the untagged manifests named, and what refers to them
        by the referrers API into an OCI image layout
  oci-images push DIRECTORY HOST/REPOSITORY
        push every manifest and tag of an OCI image layout
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oci-images:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "build":
		return build(args[1], os.Stdin, os.Stdout)
	case len(args) == 2 && args[0] == "predicate":
		return writePredicate(args[1], os.Stdin, os.Stdout)
	case len(args) >= 3 && args[0] == "pull":
		return pull(args[1], args[2], args[3:])
	case len(args) == 3 && args[0] == "push":
		return push(args[1], args[2])
	}
	fmt.Fprint(os.Stderr, usage)
	os.Exit(2)
	return nil
}
