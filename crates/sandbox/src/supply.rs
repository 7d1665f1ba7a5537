//! Where VMs come from: pool → clone of a snapshot → cold boot, in that order.

use crate::config::Config;
use crate::lease::{self, Leased, chain};
use crate::materials::{Materials, MaterialsSource, Shape};
use crate::metrics::Metrics;
use crate::outcome::NoReport;
use crate::pool::Pool;
use crate::snapshots::{SnapshotKey, SnapshotStore};
use protocol::job::Job;
use protocol::language::Language;
use std::sync::Arc;
use tokio::sync::Mutex;
use vmm::{Engine, SnapshotFiles, VmSpec};

/// Makes VMs that wait for a job, in the fastest way there is.
pub struct Supply {
    engine: Arc<dyn Engine>,
    materials: MaterialsSource,
    snapshots: SnapshotStore,
    pool: Pool,
    use_snapshots: bool,
    create_on_first_use: bool,
    default_shape: Shape,
    // One snapshot is made at a time in this process: it takes a whole core for seconds.
    creating: Mutex<()>,
}

impl Supply {
    /// A supply without a pool yet: [`Supply::start_pool`] starts it.
    pub fn new(
        config: &Config,
        engine: Arc<dyn Engine>,
        materials: MaterialsSource,
        snapshots: SnapshotStore,
        metrics: Metrics,
    ) -> Arc<Supply> {
        let refused = engine.identity().clones_refused.clone();
        if let (Some(reason), true) = (&refused, config.snapshots.enabled) {
            tracing::warn!(%reason, "no snapshots here: every job boots its VM");
        }
        Arc::new(Supply {
            engine,
            materials,
            snapshots,
            pool: Pool::new(config.pool.clone(), metrics),
            use_snapshots: config.snapshots.enabled && refused.is_none(),
            create_on_first_use: config.snapshots.create_on_first_use,
            default_shape: Shape {
                memory_mib: config.limits.defaults.memory_mib,
                vcpus: config.limits.defaults.vcpus,
            },
            creating: Mutex::new(()),
        })
    }

    /// The engine that makes the VMs.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// The snapshots.
    pub fn snapshots(&self) -> &SnapshotStore {
        &self.snapshots
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The VM size that snapshots and the pool are made for.
    pub fn default_shape(&self) -> Shape {
        self.default_shape
    }

    /// Starts filling the pool in the background; [`Supply::close`] ends it.
    pub fn start_pool(self: &Arc<Self>) {
        self.pool.start(self);
    }

    /// A VM for this job.
    pub async fn lease(&self, job: &Job) -> Result<Leased, NoReport> {
        let shape = Shape::of(job);
        if shape == self.default_shape
            && let Some(leased) = self.pool.take(job.language).await
        {
            return Ok(leased);
        }
        self.make(job.language, shape).await
    }

    /// A new VM, cloned where that is possible. Also what fills the pool.
    pub async fn make(&self, language: Language, shape: Shape) -> Result<Leased, NoReport> {
        let materials = self.materials.verified(language).await?;
        if let Some(files) = self.snapshot_for(language, shape, &materials).await {
            let spec = materials.spec(lease::new_vm_id()?, shape);
            match lease::restore(self.engine.as_ref(), spec, &files).await {
                Ok(leased) => return Ok(leased),
                Err(no) => {
                    tracing::warn!(%language, reason = %no.message, "a clone failed; booting instead");
                }
            }
        }
        self.boot(&materials, shape).await
    }

    /// A VM for a job that no clone could be had for.
    pub async fn boot_for(&self, job: &Job) -> Result<Leased, NoReport> {
        let materials = self.materials.verified(job.language).await?;
        self.boot(&materials, Shape::of(job)).await
    }

    async fn boot(&self, materials: &Materials, shape: Shape) -> Result<Leased, NoReport> {
        let spec = materials.spec(lease::new_vm_id()?, shape);
        lease::boot(self.engine.as_ref(), spec).await
    }

    /// The snapshot to clone, made now if that is wanted; every failure only means booting instead.
    async fn snapshot_for(
        &self,
        language: Language,
        shape: Shape,
        materials: &Materials,
    ) -> Option<SnapshotFiles> {
        if !self.use_snapshots {
            return None;
        }
        let key = self.key(language, shape, materials);
        match self.snapshots.find(&key).await {
            Ok(Some(files)) => return Some(files),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%language, reason = %chain(&error), "the snapshot is not used; booting instead");
                return None;
            }
        }
        // Other sizes are not made by themselves: clients choose them, and each takes disk.
        if !self.create_on_first_use || shape != self.default_shape {
            return None;
        }
        match self.create_snapshot(language, shape).await {
            Ok(files) => Some(files),
            Err(no) => {
                tracing::warn!(%language, reason = %no.message, "no snapshot could be made; booting instead");
                None
            }
        }
    }

    /// Makes the snapshot of a language unless it is there.
    pub async fn create_snapshot(
        &self,
        language: Language,
        shape: Shape,
    ) -> Result<SnapshotFiles, NoReport> {
        let _one_at_a_time = self.creating.lock().await;
        let materials = self.materials.verified(language).await?;
        let key = self.key(language, shape, &materials);
        let spec = |id| materials.spec(id, shape);
        self.snapshots
            .create(&key, self.engine.as_ref(), spec)
            .await
    }

    fn key(&self, language: Language, shape: Shape, materials: &Materials) -> SnapshotKey {
        SnapshotKey::new(language, shape, materials, self.engine.identity())
    }

    /// Ends the pool and its VMs.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Materials {
    /// A VM made of these.
    fn spec(&self, id: vmm::VmId, shape: Shape) -> VmSpec {
        VmSpec {
            id,
            kernel: self.kernel.path.clone(),
            initramfs: self.initramfs.path.clone(),
            rootfs: self.rootfs.path.clone(),
            memory_mib: shape.memory_mib,
            vcpus: shape.vcpus,
        }
    }
}
