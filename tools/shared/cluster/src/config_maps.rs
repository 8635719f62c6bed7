//! ConfigMaps of one namespace, each by its name: read, made, replaced, deleted, never listed. All
//! that is written is conditional, so that no writer undoes what another one did.

use bytes::Bytes;
use http::Method;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub use k8s_openapi::api::core::v1::ConfigMap;

use crate::resource::{CONFIG_MAPS, Question, Scope, View, Which};
use crate::{Cluster, Why};

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is done.
    Done,
    /// The object is not as it was thought to be: it is there, gone, or changed. Where an earlier
    /// answer was lost, that may be by this very write.
    Conflict,
}

/// Why a ConfigMap was not read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} ConfigMap `{name}` in namespace `{namespace}`")]
pub struct ConfigMapError {
    /// The RBAC verb.
    pub verb: &'static str,
    /// Where.
    pub namespace: String,
    /// Which.
    pub name: String,
    /// Why not.
    #[source]
    pub why: Why,
}

impl ConfigMapError {
    /// What would mend it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let Self { verb, namespace, name, why } = self;
        match why {
            // A quota speaks for itself.
            Why::Forbidden { message, .. } if message.contains("exceeded quota") => {
                Some(format!("raise the quota of namespace `{namespace}`, or keep fewer reports"))
            }
            // Nobody can be granted to create objects of certain names only.
            Why::Forbidden { .. } if *verb == "create" => Some(format!(
                "allow it by the rule {{apiGroups: [\"\"], resources: [\"configmaps\"], verbs: [\"create\"]}} in a Role in namespace `{namespace}`"
            )),
            Why::Forbidden { .. } => Some(format!(
                "allow it by the rule {{apiGroups: [\"\"], resources: [\"configmaps\"], resourceNames: [\"{name}\"], verbs: [\"{verb}\"]}} in a Role in namespace `{namespace}`"
            )),
            Why::NotFound { .. } => Some(format!("is there a namespace `{namespace}`?")),
            Why::Unauthorized { .. } => Some(
                "the token or certificate may have expired: log in again, or choose another \
                 --kubeconfig or --context"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// The ConfigMaps of one namespace.
#[derive(Debug, Clone)]
pub struct ConfigMaps {
    cluster: Cluster,
    namespace: String,
}

impl ConfigMaps {
    /// Those of a namespace.
    #[must_use]
    pub fn new(cluster: Cluster, namespace: &str) -> Self {
        Self { cluster, namespace: namespace.to_owned() }
    }

    /// Which namespace it is.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// One of them, `None` where there is none of that name.
    ///
    /// # Errors
    /// [`ConfigMapError`].
    pub async fn get(&self, name: &str) -> Result<Option<ConfigMap>, ConfigMapError> {
        self.read(name, View::Whole).await
    }

    /// What is said of one of them, without what it holds.
    ///
    /// # Errors
    /// [`ConfigMapError`].
    pub async fn metadata(&self, name: &str) -> Result<Option<ObjectMeta>, ConfigMapError> {
        #[derive(serde::Deserialize)]
        struct Object {
            metadata: ObjectMeta,
        }
        let object: Option<Object> = self.read(name, View::Metadata).await?;
        Ok(object.map(|object| object.metadata))
    }

    async fn read<T>(&self, name: &str, view: View) -> Result<Option<T>, ConfigMapError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let scope = Scope::Namespace(self.namespace.clone());
        match self.cluster.get(CONFIG_MAPS, scope, name, view).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if matches!(error.why, Why::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("get", name, error.why)),
        }
    }

    /// Makes one that is not there.
    ///
    /// # Errors
    /// [`ConfigMapError`]. When the answer was lost it may have been made all the same.
    pub async fn create(&self, object: &ConfigMap) -> Result<Written, ConfigMapError> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        self.write("create", &Method::POST, name, &self.path(Which::All), object).await
    }

    /// Replaces one, if it is still of the version that `object` has.
    ///
    /// # Errors
    /// [`ConfigMapError`]. When the answer was lost it may have been replaced all the same.
    pub async fn replace(&self, object: &ConfigMap) -> Result<Written, ConfigMapError> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let path = self.path(Which::Named(name.to_owned()));
        self.write("update", &Method::PUT, name, &path, object).await
    }

    /// Deletes one, if it is still the object of this `uid`.
    ///
    /// # Errors
    /// [`ConfigMapError`].
    pub async fn delete(&self, name: &str, uid: &str) -> Result<Written, ConfigMapError> {
        let path = self.path(Which::Named(name.to_owned()));
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid},
        });
        self.write("delete", &Method::DELETE, name, &path, &options).await
    }

    fn path(&self, which: Which) -> String {
        let scope = Scope::Namespace(self.namespace.clone());
        Question { resource: CONFIG_MAPS, scope, which }.path()
    }

    async fn write(
        &self,
        verb: &'static str,
        method: &Method,
        name: &str,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Written, ConfigMapError> {
        let failed = |why| self.failed(verb, name, why);
        let body = serde_json::to_vec(body).map_err(|error| {
            let host = self.cluster.host().to_owned();
            failed(Why::Malformed { host, message: error.to_string() })
        })?;
        let what = format!("{verb} `configmaps` `{name}` in namespace `{}`", self.namespace);
        match self.cluster.write(method, &what, path, Bytes::from(body)).await {
            Ok(()) => Ok(Written::Done),
            Err(Why::Status { status: 409, .. }) => Ok(Written::Conflict),
            Err(Why::NotFound { .. }) if verb != "create" => Ok(Written::Conflict),
            Err(why) => Err(failed(why)),
        }
    }

    fn failed(&self, verb: &'static str, name: &str, why: Why) -> ConfigMapError {
        let (namespace, name) = (self.namespace.clone(), name.to_owned());
        ConfigMapError { verb, namespace, name, why }
    }
}
