//! What binds a pod to certain nodes, as short texts for people.

use std::collections::BTreeSet;

use cluster::types::{NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Text, Toleration};
use records::text::cut;

/// In front of the taints that Kubernetes itself makes pods tolerate.
const AUTOMATIC: &str = "node.kubernetes.io/";

/// The texts for a pod: its RuntimeClass, the node labels and the node affinity that it demands,
/// and the taints that it was told to tolerate.
#[must_use]
pub(crate) fn constraints(spec: &PodSpec) -> BTreeSet<String> {
    let runtime_class = spec.runtime_class_name.given().map(|name| format!("runtimeClass {name}"));
    let labels = spec.node_selector.iter().map(|(label, value)| format!("node {label}={value}"));
    let tolerations =
        spec.tolerations.iter().filter(|one| !one.key.starts_with(AUTOMATIC)).map(toleration);
    let all = runtime_class.into_iter().chain(labels).chain(affinity(spec)).chain(tolerations);
    all.map(|text| cut(&text).into_owned()).collect()
}

/// `affinity zone In (a, b) and gpu Exists or …`: the terms of the required node affinity.
fn affinity(spec: &PodSpec) -> Option<String> {
    let terms = &spec.affinity.node_affinity.required.node_selector_terms;
    let texts: Vec<String> = terms.iter().map(term).filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then(|| format!("affinity {}", texts.join(" or ")))
}

fn term(term: &NodeSelectorTerm) -> String {
    let all = term.match_expressions.iter().chain(&term.match_fields);
    all.map(requirement).collect::<Vec<_>>().join(" and ")
}

fn requirement(requirement: &NodeSelectorRequirement) -> String {
    let NodeSelectorRequirement { key, operator, values } = requirement;
    if values.is_empty() {
        return format!("{key} {operator}");
    }
    let values: Vec<&str> = values.iter().map(|value| -> &str { value }).collect();
    format!("{key} {operator} ({})", values.join(", "))
}

fn toleration(toleration: &Toleration) -> String {
    let or_any = |text: &Text| text.given().unwrap_or("any").to_owned();
    let value = toleration.value.given().map(|value| format!("={value}")).unwrap_or_default();
    format!("tolerates {}{value}:{}", or_any(&toleration.key), or_any(&toleration.effect))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Vec<String> {
        constraints(&serde_json::from_str(json).expect("a spec")).into_iter().collect()
    }

    #[test]
    fn nothing_binds_an_ordinary_pod() {
        let automatic = r#"{"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]}"#;
        assert_eq!(of(automatic), Vec::<String>::new());
        assert_eq!(
            of(r#"{"affinity":{"podAntiAffinity":{}},"nodeSelector":null}"#),
            Vec::<String>::new()
        );
    }

    #[test]
    fn texts() {
        assert_eq!(
            of(r#"{"runtimeClassName":"gvisor","nodeSelector":{"kubernetes.io/arch":"arm64"},
                "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
                  {"matchExpressions":[{"key":"zone","operator":"In","values":["a","b"]},{"key":"gpu","operator":"Exists"}]},
                  {"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]}}},
                "tolerations":[{"key":"dedicated","operator":"Equal","value":"gpu","effect":"NoSchedule"},{"operator":"Exists"}]}"#),
            [
                "affinity zone In (a, b) and gpu Exists or metadata.name In (n1)",
                "node kubernetes.io/arch=arm64",
                "runtimeClass gvisor",
                "tolerates any:any",
                "tolerates dedicated=gpu:NoSchedule",
            ]
        );
    }
}
