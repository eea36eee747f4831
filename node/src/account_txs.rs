//! The answer to `account_tx`: a page of an account's validated transactions.

use codec::LedgerIndex;
use rpc::RpcError;
use rpc::api::{AccountTxAnswer, AccountTxQuery, LedgerRange, TxMarker, TxOrder};
use rpc::limits::PAGE_BYTES_MAX;

use crate::reading::{Broken, Chosen, Reading};
use crate::store::{AccountRange, Order};

impl Reading<'_> {
    pub(crate) fn account_page(&self, query: &AccountTxQuery) -> Result<AccountTxAnswer, RpcError> {
        let (first, last) = self.searched(query.ledgers)?;
        let mut range = AccountRange {
            account: query.account,
            first: (first.get(), 0),
            last: (last.get(), u32::MAX),
            order: match query.order {
                TxOrder::Forward => Order::Forward,
                TxOrder::Backward => Order::Backward,
            },
            count_max: query.limit,
            bytes_max: PAGE_BYTES_MAX,
        };
        if let Some(marker) = query.marker {
            let place = (marker.ledger.get(), marker.position);
            match query.order {
                TxOrder::Forward => range.first = range.first.max(place),
                TxOrder::Backward => range.last = range.last.min(place),
            }
        }
        let page = self.store.account_transactions(&range).map_err(Broken::from)?;
        let marker = page.next.map(|(ledger, position)| TxMarker {
            ledger: LedgerIndex::new(ledger),
            position,
        });
        let mut transactions = Vec::with_capacity(page.transactions.len());
        for stored in page.transactions {
            let header = self.header(stored.ledger_index)?;
            transactions.extend(self.stored_record(stored, &header));
        }
        Ok(AccountTxAnswer {
            first,
            last,
            transactions,
            marker,
        })
    }

    /// The ledgers that are searched: what is asked for, as far as the store has it.
    fn searched(&self, asked: LedgerRange) -> Result<(LedgerIndex, LedgerIndex), RpcError> {
        let oldest = self.store.first_index().map_err(Broken::from)?;
        let (oldest, newest) = (
            oldest.unwrap_or(self.state.ledger.index()),
            self.state.ledger.index(),
        );
        let (first, last) = match asked {
            LedgerRange::One(choice) => {
                let Chosen::Stored(index) = self.chosen(choice)? else {
                    return Err(RpcError::LedgerNotFound);
                };
                self.header(index)?;
                return Ok((index, index));
            }
            LedgerRange::Between(first, last) => (first.unwrap_or(oldest), last.unwrap_or(newest)),
        };
        if first > last || first > newest || last < oldest {
            return Err(RpcError::LedgerRangeInvalid);
        }
        Ok((first.max(oldest), last.min(newest)))
    }
}
