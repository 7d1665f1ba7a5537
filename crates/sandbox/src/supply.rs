//! Where VMs come from: pool → clone of a snapshot → cold boot, in that order.

use crate::config::Config;
use crate::error::{JobError, Why, chain};
use crate::lease::{self, Leased};
use crate::live::SavedVm;
use crate::materials::{Materials, MaterialsSource, Shape};
use crate::metrics::Metrics;
use crate::pool::{Pool, Refill};
use crate::saved::SavedKey;
use crate::snapshots::{SnapshotKey, SnapshotStore};
use crate::standby::Standbys;
use crate::warm_up::waiting_in_clones;
use images::ImageStore;
use protocol::job::Job;
use protocol::language::Language;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;
use vmm::{Engine, SnapshotFiles, VmSpec};

/// What VMs are made by, and of.
pub struct Sources {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Kernel, initramfs and images.
    pub materials: MaterialsSource,
    /// What clones are made of.
    pub snapshots: SnapshotStore,
}

/// Makes VMs that wait for a job, in the fastest way there is.
pub struct Supply {
    engine: Arc<dyn Engine>,
    materials: MaterialsSource,
    snapshots: SnapshotStore,
    pool: Pool,
    standbys: Standbys,
    use_snapshots: bool,
    create_on_first_use: bool,
    default_shape: Shape,
    // One snapshot is made at a time in this process: it takes a whole core for seconds.
    creating: Mutex<()>,
    /// Languages of users' images that cannot be warmed up: the program of theirs is not there, or is another.
    cold: std::sync::Mutex<BTreeSet<Language>>,
}

impl Supply {
    /// A supply without a pool yet: [`Supply::start_pool`] starts it.
    pub fn new(config: &Config, sources: Sources, metrics: Metrics) -> Arc<Supply> {
        let Sources {
            engine,
            materials,
            snapshots,
        } = sources;
        let refused = &engine.identity().clones_refused;
        if let (Some(reason), true) = (refused, config.snapshots.enabled) {
            tracing::info!(%reason, "no snapshots here: every job boots its VM");
        }
        let use_snapshots = config.snapshots.enabled && engine.snapshots().is_some();
        let default_shape = Shape {
            memory_mib: config.limits.defaults.memory_mib,
            vcpus: config.limits.defaults.vcpus,
        };
        let standby = match use_snapshots {
            true => config.snapshots.standby,
            false => 0,
        };
        Arc::new(Supply {
            standbys: Standbys::new(engine.clone(), default_shape, standby),
            engine,
            materials,
            snapshots,
            pool: Pool::new(config.pool.clone(), metrics),
            use_snapshots,
            create_on_first_use: config.snapshots.create_on_first_use,
            default_shape,
            creating: Mutex::new(()),
            cold: std::sync::Mutex::default(),
        })
    }

    /// The engine that makes the VMs.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// What VMs boot from.
    pub fn materials(&self) -> &MaterialsSource {
        &self.materials
    }

    /// The images.
    pub fn images(&self) -> &Arc<ImageStore> {
        self.materials.store()
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

    /// VMMs that wait for a snapshot.
    pub fn standbys(&self) -> &Standbys {
        &self.standbys
    }

    /// Starts filling the pool, and the VMMs that stand by, in the background; [`Supply::close`] ends it.
    pub fn start_pool(self: &Arc<Self>) {
        self.standbys.start();
        self.pool.start(self);
    }

    /// Nothing is being made for jobs to come: the pool is full, and so are the VMMs that stand by.
    pub fn is_settled(&self) -> bool {
        self.pool.is_warm() && self.standbys.is_settled()
    }

    /// A VM for this job.
    pub async fn lease(&self, job: &Job) -> Result<Leased, JobError> {
        let shape = Shape::of(job);
        if shape == self.default_shape
            && let Some(leased) = self.pool.take(job.language).await
        {
            return Ok(leased);
        }
        self.make(job.language, shape, Some(&self.standbys)).await
    }

    /// A new VM, cloned where that is possible, of a VMM that stands by where one does. What fills the
    /// pool takes none of those: nobody waits for it.
    pub async fn make(
        &self,
        language: Language,
        shape: Shape,
        standbys: Option<&Standbys>,
    ) -> Result<Leased, JobError> {
        let materials = self.verified(language).await?;
        if let Some(snapshots) = self.engine.snapshots()
            && let Some(files) = self.snapshot_for(language, shape, &materials).await
        {
            let spec = materials.spec(lease::new_vm_id()?, shape);
            if let Some(standbys) = standbys
                && let Some(leased) = standbys.clone_of(&spec, &files).await
            {
                return Ok(cloned(leased, language));
            }
            match lease::restore(snapshots, spec, &files).await {
                Ok(leased) => return Ok(cloned(leased, language)),
                Err(error) => {
                    tracing::warn!(%language, reason = %error, "a clone failed; booting instead");
                }
            }
        }
        self.boot(&materials, shape).await
    }

    /// A VM for a job that no clone could be had for.
    pub async fn boot_for(&self, job: &Job) -> Result<Leased, JobError> {
        let materials = self.verified(job.language).await?;
        self.boot(&materials, Shape::of(job)).await
    }

    /// A VM that was saved at work, running again; its agent is quiet.
    pub async fn load_saved(&self, job: &Job, saved: SavedVm<'_>) -> Result<Leased, JobError> {
        let engine = self.engine.snapshots().ok_or_else(|| self.no_snapshots())?;
        let materials = self.verified(job.language).await?;
        saved.key.check(&self.saved_key(job, &materials))?;
        let spec = materials.spec(lease::new_vm_id()?, Shape::of(job));
        lease::load_saved(engine, spec, saved.folder).await
    }

    /// What a VM of this job depends on once it is saved; an error where this engine can save none.
    pub async fn key_of_saved(&self, job: &Job) -> Result<SavedKey, JobError> {
        self.engine.snapshots().ok_or_else(|| self.no_snapshots())?;
        let materials = self.verified(job.language).await?;
        Ok(self.saved_key(job, &materials))
    }

    fn saved_key(&self, job: &Job, materials: &Materials) -> SavedKey {
        SavedKey::new(
            Shape::of(job),
            &materials.rootfs.sha256,
            self.engine.identity(),
        )
    }

    async fn verified(&self, language: Language) -> Result<Materials, JobError> {
        let kernel = self.engine.kernel();
        self.materials.verified(language, kernel).await
    }

    async fn boot(&self, materials: &Materials, shape: Shape) -> Result<Leased, JobError> {
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
        if !self.use_snapshots || self.is_cold(language) {
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
            Err(error) => {
                tracing::warn!(%language, reason = %error, "no snapshot could be made; booting instead");
                if error.is_warm_up() && language.image().is_custom() {
                    self.cold().insert(language);
                }
                None
            }
        }
    }

    fn is_cold(&self, language: Language) -> bool {
        language.image().is_custom() && self.cold().contains(&language)
    }

    fn cold(&self) -> std::sync::MutexGuard<'_, BTreeSet<Language>> {
        self.cold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the snapshot of a language unless it is there.
    pub async fn create_snapshot(
        &self,
        language: Language,
        shape: Shape,
    ) -> Result<SnapshotFiles, JobError> {
        let _one_at_a_time = self.creating.lock().await;
        let materials = self.verified(language).await?;
        let key = self.key(language, shape, &materials);
        let spec = |id| materials.spec(id, shape);
        let engine = self.engine.snapshots().ok_or_else(|| self.no_snapshots())?;
        self.snapshots.create(&key, engine, spec).await
    }

    fn no_snapshots(&self) -> JobError {
        let reason = self.engine.identity().clones_refused.as_deref();
        Why::NoSnapshots(reason.unwrap_or("unknown").to_owned()).into()
    }

    fn key(&self, language: Language, shape: Shape, materials: &Materials) -> SnapshotKey {
        SnapshotKey::new(language, shape, materials, self.engine.identity())
    }

    /// Ends the pool and its VMs, and the VMMs that stand by.
    pub async fn close(&self) {
        tokio::join!(self.pool.close(), self.standbys.close());
    }
}

impl Refill for Supply {
    fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn make_for_pool(&self, language: Language) -> Result<Leased, JobError> {
        self.make(language, self.default_shape, None).await
    }
}

/// A clone has waiting in it what its template had.
fn cloned(leased: Leased, language: Language) -> Leased {
    Leased {
        waiting: waiting_in_clones(language).into(),
        ..leased
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
