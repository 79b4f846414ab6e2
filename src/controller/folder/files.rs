//! The files of the folders: what each said last, and what each said last that made sense.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{FolderError, is_manifest};
use crate::snapshot::manifests::{Diagnostic, File, Manifests, Object};

/// All files below the paths that were named.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    /// Those of the paths that are files.
    single: BTreeSet<PathBuf>,
    /// Folders and files that were named and cannot be listed at present.
    lost: BTreeMap<PathBuf, Diagnostic>,
    known: BTreeMap<PathBuf, Known>,
}

/// One file.
struct Known {
    /// The named path that it was found by.
    under: PathBuf,
    /// Of its bytes; `None` where it could not be read.
    digest: Option<[u8; 32]>,
    /// Its good objects, and where some of it is not good now, the objects that were.
    objects: Vec<Object>,
    diagnostics: Vec<Diagnostic>,
}

const STAYS: &str = "until then its objects stay as they last were";

impl Files {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        Self { paths: paths.to_vec(), single: BTreeSet::new(), lost: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// The first reading: a path that cannot be listed is an error here, since most likely it is a slip.
    pub(super) fn read_first(&mut self) -> Result<(), FolderError> {
        for path in &self.paths {
            let files = list(path).map_err(|source| FolderError::Read { path: path.clone(), source })?;
            if files.contains(path) {
                self.single.insert(path.clone());
            }
        }
        self.read_again();
        Ok(())
    }

    /// Reads whatever is other than it was. False where nothing is.
    pub(super) fn read_again(&mut self) -> bool {
        let mut changed = false;
        for path in self.paths.clone() {
            match list(&path) {
                Ok(files) => {
                    changed |= self.lost.remove(&path).is_some();
                    let gone: Vec<PathBuf> = self
                        .known
                        .iter()
                        .filter(|(file, known)| known.under == path && !files.contains(file))
                        .map(|(file, _)| file.clone())
                        .collect();
                    for file in gone {
                        changed |= self.known.remove(&file).is_some();
                    }
                    for file in files {
                        changed |= self.read_file(&path, &file);
                    }
                }
                // A single file that was named and is gone was removed; a folder that is gone was more likely mislaid.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.single.contains(&path) => {
                    changed |= self.known.remove(&path).is_some();
                }
                Err(error) => {
                    let help = "put it back, or stop and start again without it; until then its objects stay as they last were";
                    let diagnostic = Diagnostic::unreadable(&path.to_string_lossy(), &error, help);
                    let shown = diagnostic.one_line();
                    let before = self.lost.insert(path, diagnostic);
                    changed |= before.is_none_or(|before| before.one_line() != shown);
                }
            }
        }
        changed
    }

    /// Everything, file by file in the order of their names.
    pub(super) fn manifests(&self) -> Manifests {
        let mut manifests = Manifests::of(self.known.iter().map(|(path, known)| File {
            name: path.to_string_lossy().into(),
            objects: known.objects.clone(),
            diagnostics: known.diagnostics.clone(),
        }));
        manifests.diagnostics.extend(self.lost.values().cloned());
        manifests
    }

    fn read_file(&mut self, under: &Path, file: &Path) -> bool {
        let name = file.to_string_lossy().into_owned();
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            // Removed since it was listed; the next event tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            Err(error) => {
                let help = format!("make it readable; {STAYS}");
                return self.keep(under, file, None, Diagnostic::unreadable(&name, &error, &help));
            }
        };
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if self.known.get(file).is_some_and(|known| known.digest == Some(digest)) {
            return false;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let help = format!("save it as UTF-8; {STAYS}");
            return self.keep(
                under,
                file,
                Some(digest),
                Diagnostic::unreadable(&name, &"it is not UTF-8 text", &help),
            );
        };
        let before = self.known.remove(file).map(|known| known.objects).unwrap_or_default();
        if text.trim().is_empty() && !before.is_empty() {
            // An editor that writes in place empties the file first; whoever means it removes the file.
            let help = format!("remove the file to delete its objects; {STAYS}");
            let diagnostic = Diagnostic::unreadable(&name, &"it is empty", &help);
            self.known.insert(
                file.to_owned(),
                Known {
                    under: under.to_owned(),
                    digest: Some(digest),
                    objects: before,
                    diagnostics: vec![diagnostic],
                },
            );
            return true;
        }
        let read = File::read(&name, text);
        let mut objects = read.objects.clone();
        if read.has_errors() {
            // What is missing may be what is wrong.
            let missing = before.into_iter().filter(|old| read.objects.iter().all(|new| new.id != old.id));
            objects.extend(missing);
        }
        self.known.insert(
            file.to_owned(),
            Known { under: under.to_owned(), digest: Some(digest), objects, diagnostics: read.diagnostics },
        );
        true
    }

    fn keep(&mut self, under: &Path, file: &Path, digest: Option<[u8; 32]>, diagnostic: Diagnostic) -> bool {
        let before = self.known.remove(file);
        let same = before.as_ref().is_some_and(|before| {
            before.digest == digest
                && before.diagnostics.iter().map(Diagnostic::one_line).eq([diagnostic.one_line()])
        });
        let objects = before.map(|before| before.objects).unwrap_or_default();
        self.known.insert(
            file.to_owned(),
            Known { under: under.to_owned(), digest, objects, diagnostics: vec![diagnostic] },
        );
        !same
    }
}

/// The manifests of a folder, by name; or the one file itself.
pub(super) fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if is_manifest(&file) && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
