//! What would mend a failure, code by code.

use super::FailureCode;

impl FailureCode {
    /// What would mend it, for documents: Markdown, in whole sentences.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::BadReference => {
                "Correct the `image` in the pod's spec. The runtime may have accepted what a registry does not: `kubectl describe pod` shows what was pulled."
            }
            Self::BadResponse => {
                "Ask the host by hand (`curl -v https://HOST/v2/`). A proxy or login page in front of the registry, or a host that is no registry, looks like this."
            }
            Self::Unauthorized => {
                "Give credentials: `--registry-auth FILE` (a Docker config.json or a mounted `.dockerconfigjson`), or `credentials` in the hosts file. Where some were given, they are wrong, or have expired, as the tokens of cloud registries do after some hours."
            }
            Self::Forbidden => {
                "The credentials are known and may not read this. At a registry: give the account the right to pull the repository. At the Kubernetes API: bind the rule that the message names; docs/rbac.md has all of them."
            }
            Self::NotFound => {
                "Look whether the tag or manifest was deleted. Some registries answer 404 where they mean 403: then give credentials for the repository."
            }
            Self::RateLimited => {
                "Log in, since limits for anonymous requests are low; ask less at a time (`maxInFlight` and `requestsPerSecond` in the hosts file), or less often; or ask a mirror."
            }
            Self::ServerError => {
                "The host has a fault of its own. Ask again later; look at its status page or its logs."
            }
            Self::HostUnreachable => {
                "Check that the host is up and can be reached from where the collector runs (network policies, firewalls, proxies). After three failures in a row it is not asked again in that run."
            }
            Self::NameNotResolved => {
                "Check the spelling of the registry in the image's name, and the DNS that the collector's pod uses."
            }
            Self::Timeout => {
                "Give one question more time (`--registry-timeout`), or look why the host or the way to it is slow."
            }
            Self::Deadline => {
                "Give the run more time (`--deadline`), or split the cluster over several pods (`pc-discover --shard`)."
            }
            Self::Tls => {
                "If the registry has a certificate of a private authority, give that authority's certificate: `--ca-file`, or `caFile` in the hosts file. If it speaks plain http and is meant to, `--plain-http HOST`. If it wants to see a certificate, `clientCertificate` in the hosts file."
            }
            Self::Proxy => {
                "Look at `HTTPS_PROXY` (`HTTP_PROXY` for hosts over plain http): the proxy's host and port, and the user name and password in it, if it wants some. Hosts that can be reached without it belong into `NO_PROXY`."
            }
            Self::TooLarge => {
                "What the host sent is larger than such a thing may be. A manifest of more than 8 MiB is no manifest that anybody runs."
            }
            Self::BadCoding => {
                "Ask the host by hand (`curl -v --compressed`): its `Content-Encoding` must be gzip, zstd or none, once, and the body must be that. A proxy that packs what is packed already looks like this."
            }
            Self::DigestMismatch => {
                "The registry, or something between, changed the content or lied about it. Treat it as an incident: compare with another registry or a mirror."
            }
            Self::RealmRefused => {
                "If that host may have the registry's credentials, name it under `realms` in the hosts file."
            }
            Self::RedirectRefused => {
                "The registry sends its clients to a place that is not asked: over plain http, or round in circles. Correct the registry's public address."
            }
            Self::AddressRefused => {
                "If the address is meant, allow it: `--allow-address`, or `allowAddresses` of the host in the hosts file. If it is not, somebody gave an image the name of a machine that it should not reach."
            }
            Self::HostNotAllowed => {
                "Add the host with `--allow-host` (or to `allowHosts` in the hosts file), if images may come from there. Both lists also bind the hosts that registries redirect to, or send us to for tokens."
            }
            Self::Credentials => {
                "A credential helper failed: run it by hand (`docker-credential-NAME get`), or store the credential in the file itself. Or a pull secret of the pods is not there, may not be read (docs/rbac.md), or is none of pull credentials: the message says which and why."
            }
            Self::PlatformUnknown => {
                "Let pc-discover list nodes, or give `--default-platform`. Where an index has several variants for one platform, the node does not say which one it runs, and no one guesses."
            }
            Self::IndexUnknown => {
                "The tag means another index now, and which one was pulled is not on record. Deploy by digest to have that known."
            }
            Self::PresentUnknown => {
                "Mend what kept pc-digest from asking the repository for the manifest: the failures of the image's `digest` record say what. An empty answer about a manifest that a repository may not have says nothing."
            }
            Self::ImageIdUnproven => {
                "The runtime knows only the image's own id, and no manifest of the tag has it: the tag was moved, or the image was loaded without a registry. Or its imageID names no digest at all, and the failure's message shows it. Pull it again, or deploy by digest."
            }
            Self::PinContradicted => {
                "Treat it as an incident until it is explained: look at the pod's events and at the node's runtime, which should have pulled the digest that is written."
            }
            Self::Mirror => {
                "Let the registry itself be asked (`upstream: fallback` in the hosts file), or copy what is missing to the mirror: many mirrors leave signatures out. What a mirror lacks is not known to be absent."
            }
            Self::Layout => {
                "Make the layout again: `oci-layout`, `index.json` and `blobs/` must be there and readable, in a folder for each repository (`REGISTRY/REPOSITORY/`)."
            }
            Self::ReleaseUnreadable => {
                "Look at the revision with Helm (`helm get all NAME -n NAMESPACE --revision N`). If Helm cannot read it either, what is stored is damaged, or is not from Helm: upgrade or roll back the release, which writes a new revision, and delete the object that the message names."
            }
            Self::ReleaseTwice => {
                "Find out which one is in use (`helm list -A`, with `HELM_DRIVER=configmap` and without), and delete what the other driver left behind; or name one driver (`--helm-driver`)."
            }
            Self::NamespaceNotFound => "Correct the name in `--namespaces`.",
        }
    }
}
