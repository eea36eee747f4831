//! What a node keeps of snapshots on disk: the pieces of one that is being fetched, and the borders that prove who
//! signs and where its own ledgers begin.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use codec::Hash256;
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::Digestible as _;
use ledger::state_map::Piece;
use ledger::{Ledger, StateMap, TxMap};
use rand_core::CryptoRng;

use super::fetch::{Want, below, block_of, is_right, roots};
use super::proof::{Border, Trust};
use super::wire::decode_piece;
use crate::block::Block;

/// Names in a data folder.
const PIECES_FOLDER: &str = "snapshot";
const PROOFS_FOLDER: &str = "proofs";

/// Names in the folder of proofs.
const FLOOR_FILE: &str = "floor";
const BLOCK_FILE: &str = "floor-block";
const CHANGE_PREFIX: &str = "change-";

/// Why what is on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A file cannot be read or written.
    #[error("cannot use {path}: {source}; check its owner, its mode and the free space, then start the node again", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error(
        "{path} is damaged: put back a copy of the data folder, or give the node an empty one and fetch again", path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_owned();
    |source| DiskError::Io { path, source }
}

/// Pieces, each in a file that is named by its hash. None is trusted: what a crash has torn is fetched again.
#[derive(Debug)]
pub(crate) struct Pieces(PathBuf);

impl Pieces {
    /// Those in a data folder.
    pub(crate) fn open(data: &Path) -> Result<Self, DiskError> {
        let folder = data.join(PIECES_FOLDER);
        ops::private::make_folder(&folder).map_err(io_error(&folder))?;
        Ok(Self(folder))
    }

    /// Forget all that a data folder has.
    pub(crate) fn remove(data: &Path) -> Result<(), DiskError> {
        let folder = data.join(PIECES_FOLDER);
        match std::fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error(&folder)(source)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn file(&self, want: &Want) -> PathBuf {
        self.0.join(want.hash.to_string())
    }

    /// A piece that is there and right.
    pub(crate) fn read(&self, want: &Want) -> Option<Piece> {
        let piece = decode_piece(&std::fs::read(self.file(want)).ok()?)?;
        is_right(want, &piece).then_some(piece)
    }

    /// Keep the bytes of a piece.
    pub(crate) fn write(&self, want: &Want, piece: &[u8]) -> Result<(), DiskError> {
        let path = self.file(want);
        std::fs::write(&path, piece).map_err(io_error(&path))
    }

    /// The ledger that a border proves, and the border block; `None` where a piece is missing.
    pub(crate) fn assemble(&self, border: &Border) -> Option<(Ledger, Block)> {
        let [state, transactions, block] = roots(border);
        let state = StateMap::from_sorted_iter(self.items(state)?);
        let transactions = TxMap::from_sorted_iter(self.items(transactions)?);
        let ledger = Ledger::from_parts(*border.header(), state, transactions).ok()?;
        Some((ledger, block_of(&self.read(&block)?)?))
    }

    /// All items below a place, ascending.
    fn items(&self, root: Want) -> Option<Vec<(Hash256, Vec<u8>)>> {
        let (mut items, mut wanted) = (Vec::new(), vec![root]);
        while let Some(want) = wanted.pop() {
            let piece = self.read(&want)?;
            wanted.extend(below(&want.place, &piece).into_iter().rev());
            if let Piece::Items(some) = piece {
                items.extend(some);
            }
        }
        Some(items)
    }
}

/// The borders that a node has on disk.
#[derive(Debug, Clone)]
pub(crate) struct Proofs(PathBuf);

impl Proofs {
    /// Those in a data folder.
    pub(crate) fn open(data: &Path) -> Result<Self, DiskError> {
        let folder = data.join(PROOFS_FOLDER);
        ops::private::make_folder(&folder).map_err(io_error(&folder))?;
        Ok(Self(folder))
    }

    /// Learn of all changes of validators that are on disk.
    pub(crate) fn read_changes(&self, rng: &mut impl CryptoRng, trust: &mut Trust) -> Result<(), DiskError> {
        let mut changes = Vec::new();
        for entry in std::fs::read_dir(&self.0).map_err(io_error(&self.0))? {
            let path = entry.map_err(io_error(&self.0))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let epoch = name.and_then(|name| name.strip_prefix(CHANGE_PREFIX)?.parse::<u64>().ok());
            changes.extend(epoch.map(|epoch| (epoch, path)));
        }
        changes.sort();
        for (_, path) in changes {
            let border = read_border(&path)?;
            if trust.take(rng, &border).is_err() {
                return Err(DiskError::Damaged { path });
            }
        }
        Ok(())
    }

    /// Keep a border at which validators change.
    pub(crate) fn write_change(&self, border: &Border) -> Result<(), DiskError> {
        self.write(&format!("{CHANGE_PREFIX}{}", border.epoch()), &border.encode())
    }

    /// Where the ledgers of this node begin, if it did not make them from the first one on.
    pub(crate) fn read_floor(&self) -> Result<Option<(Border, Block)>, DiskError> {
        let path = self.0.join(FLOOR_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let border = read_border(&path)?;
        let path = self.0.join(BLOCK_FILE);
        let bytes = std::fs::read(&path).map_err(io_error(&path))?;
        let block = Block::decode(Copying(&bytes)).ok();
        let block = block.filter(|block| block.digest() == border.block());
        block
            .map(|block| Some((border, block)))
            .ok_or(DiskError::Damaged { path })
    }

    /// The ledgers of this node begin with the one before a border.
    pub(crate) fn write_floor(&self, border: &Border, block: &Block) -> Result<(), DiskError> {
        self.remove_floor()?;
        self.write(BLOCK_FILE, &block.encode())?;
        self.write(FLOOR_FILE, &border.encode())
    }

    /// The ledgers of this node begin with the network's first one.
    pub(crate) fn remove_floor(&self) -> Result<(), DiskError> {
        let path = self.0.join(FLOOR_FILE);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error(&path)(source)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Durably, as a whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let (path, unfinished) = (self.0.join(name), self.0.join("new"));
        let write = || {
            let mut file = std::fs::File::create(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&unfinished, &path)?;
            std::fs::File::open(&self.0)?.sync_all()
        };
        write().map_err(io_error(&path))
    }
}

fn read_border(path: &Path) -> Result<Border, DiskError> {
    let bytes = std::fs::read(path).map_err(io_error(path))?;
    Border::decode(&bytes).ok_or_else(|| DiskError::Damaged {
        path: path.to_owned(),
    })
}
