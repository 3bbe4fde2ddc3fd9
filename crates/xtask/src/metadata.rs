//! What `cargo metadata` says, as far as the checks need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::workspace::output;

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

/// A dependency as a manifest states it.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: String,
    pub kind: Kind,
    pub features: Vec<String>,
}

/// One package of the graph.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    pub source: Option<String>,
    pub declares: Vec<Declared>,
}

/// All packages that a build on this machine's platform can meet.
#[derive(Debug, Default)]
pub struct Metadata {
    pub packages: BTreeMap<String, Package>,
    pub members: BTreeSet<String>,
    /// From each package to those that it links, builds or tests with.
    pub edges: BTreeMap<String, Vec<(String, Vec<Kind>)>>,
}

impl Metadata {
    /// Asks cargo, with the lock file as it is.
    pub fn read(root: &Path) -> Result<Self, String> {
        let rustc = output(Command::new("rustc").arg("-vV"))?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc -vV names no host")?;
        let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
        let text = output(Command::new("cargo").args(arguments).current_dir(root))?;
        let value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        Metadata::parse(&value).ok_or_else(|| "cargo metadata has another form than expected".to_owned())
    }

    /// The parts of the document that the checks use.
    pub fn parse(value: &Value) -> Option<Self> {
        let mut metadata = Metadata::default();
        for package in value["packages"].as_array()? {
            let mut declares = Vec::new();
            for dependency in package["dependencies"].as_array()? {
                declares.push(Declared {
                    name: dependency["name"].as_str()?.to_owned(),
                    kind: kind(&dependency["kind"])?,
                    features: strings(&dependency["features"])?,
                });
            }
            let text = |key: &str| package[key].as_str().map(str::to_owned);
            let parsed = Package {
                name: text("name")?,
                version: text("version")?,
                license: text("license"),
                source: text("source"),
                declares,
            };
            metadata.packages.insert(text("id")?, parsed);
        }
        metadata.members = strings(&value["workspace_members"])?.into_iter().collect();
        for node in value["resolve"]["nodes"].as_array()? {
            let mut targets = Vec::new();
            for target in node["deps"].as_array()? {
                let kinds = target["dep_kinds"].as_array()?;
                let kinds = kinds.iter().map(|entry| kind(&entry["kind"])).collect::<Option<Vec<_>>>()?;
                targets.push((target["pkg"].as_str()?.to_owned(), kinds));
            }
            metadata.edges.insert(node["id"].as_str()?.to_owned(), targets);
        }
        Some(metadata)
    }

    /// The workspace's own packages by name.
    pub fn own(&self) -> BTreeMap<&str, &Package> {
        let own = self.members.iter().filter_map(|id| self.packages.get(id));
        own.map(|package| (package.name.as_str(), package)).collect()
    }

    /// The names of everything that building and testing the workspace crate `name` links.
    pub fn links(&self, name: &str) -> BTreeSet<&str> {
        let is_root = |id: &&String| self.packages.get(*id).is_some_and(|package| package.name == name);
        let mut seen: BTreeSet<&str> = self.members.iter().filter(is_root).map(String::as_str).collect();
        let roots = seen.clone();
        let mut queue: Vec<&str> = seen.iter().copied().collect();
        while let Some(id) = queue.pop() {
            for (target, kinds) in self.edges.get(id).into_iter().flatten() {
                // Only the tests of the crate itself are built, not those of what it uses.
                let is_built = roots.contains(id) || kinds.iter().any(|kind| *kind != Kind::Dev);
                if is_built && seen.insert(target) {
                    queue.push(target);
                }
            }
        }
        seen.iter().filter_map(|id| self.packages.get(*id)).map(|package| package.name.as_str()).collect()
    }
}

fn kind(value: &Value) -> Option<Kind> {
    match value.as_str() {
        None => Some(Kind::Normal),
        Some("build") => Some(Kind::Build),
        Some("dev") => Some(Kind::Dev),
        Some(_) => None,
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    /// A graph from (name, source, licence) and (from, to, kind), all at version 1.0.0.
    pub fn graph(
        own: &[&str],
        foreign: &[(&str, &str, &str)],
        edges: &[(&str, &str, Option<&str>)],
    ) -> Metadata {
        let license = "MIT";
        let package = |name: &str, source: Option<&str>, license: &str| {
            let declared = edges.iter().filter(|edge| edge.0 == name);
            let declared: Vec<Value> =
                declared.map(|edge| json!({"name": edge.1, "kind": edge.2, "features": []})).collect();
            json!({"id": name, "name": name, "version": "1.0.0", "license": license, "source": source,
                   "dependencies": declared})
        };
        let packages: Vec<Value> = own
            .iter()
            .map(|name| package(name, None, license))
            .chain(foreign.iter().map(|(name, source, license)| package(name, Some(source), license)))
            .collect();
        let names = own.iter().chain(foreign.iter().map(|(name, ..)| name));
        let nodes: Vec<Value> = names
            .map(|name| {
                let deps = edges.iter().filter(|edge| edge.0 == *name);
                let deps: Vec<Value> =
                    deps.map(|edge| json!({"pkg": edge.1, "dep_kinds": [{"kind": edge.2}]})).collect();
                json!({"id": name, "deps": deps})
            })
            .collect();
        let document = json!({"packages": packages, "workspace_members": own, "resolve": {"nodes": nodes}});
        Metadata::parse(&document).expect("the form that cargo prints")
    }

    #[test]
    fn links_follow_what_is_built_and_not_the_tests_of_others() {
        let metadata = graph(
            &["a", "b"],
            &[("deep", "registry", "MIT"), ("test-only", "registry", "MIT"), ("tool", "registry", "MIT")],
            &[
                ("a", "b", None),
                ("b", "deep", None),
                ("b", "test-only", Some("dev")),
                ("b", "tool", Some("build")),
            ],
        );
        assert_eq!(metadata.links("a").into_iter().collect::<Vec<_>>(), ["a", "b", "deep", "tool"]);
        assert!(metadata.links("b").contains("test-only"));
    }

    #[test]
    fn a_document_of_another_form_is_refused() {
        assert!(Metadata::parse(&json!({"packages": []})).is_none());
    }
}
