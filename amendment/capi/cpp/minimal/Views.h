// Ledgers, and what surrounds a transaction in the server, for Server.h, which includes this file.
#pragma once

namespace ripple {

using LedgerIndex = std::uint32_t;

struct LedgerInfo
{
    LedgerIndex seq = 0;
    NetClock::time_point parentCloseTime{};
    NetClock::time_point closeTime{};
    uint256 hash{};
    uint256 parentHash{};
};

struct Fees
{
    XRPAmount base{10};
    XRPAmount reserve{1000000};
    XRPAmount increment{200000};
};

inline constexpr int featureEmail = 1;

class Rules
{
    std::set<int> enabled_;

public:
    Rules(std::set<int> enabled) : enabled_(std::move(enabled))
    {
    }
    bool
    enabled(int feature) const
    {
        return enabled_.count(feature) != 0;
    }
};

class ReadView
{
public:
    virtual ~ReadView() = default;
    virtual LedgerInfo const&
    info() const = 0;
    virtual bool
    open() const = 0;
    virtual Fees const&
    fees() const = 0;
    virtual Rules const&
    rules() const = 0;
    virtual std::shared_ptr<SLE const>
    read(Keylet const& keylet) const = 0;
    /// A change of the port (docs/xahaud-integration.md, "The bottom of the view"): the entry as the parent ledger
    /// has it. A closed ledger is the parent of every view upon it.
    virtual std::shared_ptr<SLE const>
    readParent(Keylet const& keylet) const
    {
        return read(keylet);
    }
    LedgerIndex
    seq() const
    {
        return info().seq;
    }
};

class ApplyView : public ReadView
{
public:
    virtual std::shared_ptr<SLE>
    peek(Keylet const& keylet) = 0;
    virtual void
    erase(std::shared_ptr<SLE> const& entry) = 0;
    virtual void
    insert(std::shared_ptr<SLE> const& entry) = 0;
    virtual void
    update(std::shared_ptr<SLE> const& entry) = 0;
};

/// A ledger as a map of entries. As a view to write to it holds callers to the server's contract: only what was
/// peeked is updated or erased, only what is not there is inserted.
class Ledger final : public ApplyView
{
    std::map<uint256, std::shared_ptr<SLE>> entries_;
    std::set<std::shared_ptr<SLE>> peeked_;
    /// What the parent has, in a ledger that comes after one.
    std::optional<std::map<uint256, std::shared_ptr<SLE>>> parent_;
    Fees fees_;
    Rules rules_{{featureEmail}};
    LedgerInfo info_;
    bool open_ = false;

public:
    LedgerInfo&
    header()
    {
        return info_;
    }
    void
    setRules(Rules rules)
    {
        rules_ = std::move(rules);
    }
    void
    setOpen()
    {
        open_ = true;
    }
    /// The next ledger: the same entries, copied, as nothing of the parent changes.
    std::shared_ptr<Ledger>
    next(uint256 const& hash, NetClock::time_point closeTime)
    {
        info_.hash = hash;
        info_.closeTime = closeTime;
        auto made = std::make_shared<Ledger>();
        for (auto const& [key, entry] : entries_)
            made->entries_.emplace(key, std::make_shared<SLE>(*entry));
        made->parent_ = entries_;
        made->rules_ = rules_;
        made->info_.seq = info_.seq + 1;
        made->info_.parentHash = hash;
        made->info_.parentCloseTime = closeTime;
        return made;
    }
    std::vector<uint256>
    keys() const
    {
        std::vector<uint256> all;
        for (auto const& [key, entry] : entries_)
            all.push_back(key);
        return all;
    }
    /// What the server does with each changed entry of a threaded type.
    void
    thread(uint256 const& transaction)
    {
        for (auto const& [key, entry] : entries_)
            if (peeked_.count(entry) != 0 && entry->isFieldPresent(sfPreviousTxnID))
            {
                entry->setFieldH256(sfPreviousTxnID, transaction);
                entry->setFieldU32(sfPreviousTxnLgrSeq, info_.seq);
            }
        peeked_.clear();
    }

    LedgerInfo const&
    info() const override
    {
        return info_;
    }
    bool
    open() const override
    {
        return open_;
    }
    Fees const&
    fees() const override
    {
        return fees_;
    }
    Rules const&
    rules() const override
    {
        return rules_;
    }
    std::shared_ptr<SLE const>
    read(Keylet const& keylet) const override
    {
        auto const at = entries_.find(keylet.key);
        return at == entries_.end() ? nullptr : at->second;
    }
    std::shared_ptr<SLE const>
    readParent(Keylet const& keylet) const override
    {
        if (!parent_)
            return read(keylet);
        auto const at = parent_->find(keylet.key);
        return at == parent_->end() ? nullptr : at->second;
    }
    std::shared_ptr<SLE>
    peek(Keylet const& keylet) override
    {
        auto const at = entries_.find(keylet.key);
        if (at == entries_.end())
            return nullptr;
        peeked_.insert(at->second);
        return at->second;
    }
    void
    erase(std::shared_ptr<SLE> const& entry) override
    {
        if (peeked_.count(entry) == 0 || entries_.erase(entry->key()) != 1)
            throw std::logic_error("erased what was not peeked");
    }
    void
    insert(std::shared_ptr<SLE> const& entry) override
    {
        if (!entries_.emplace(entry->key(), entry).second)
            throw std::logic_error("inserted what is there");
        peeked_.insert(entry);
    }
    void
    update(std::shared_ptr<SLE> const& entry) override
    {
        if (peeked_.count(entry) == 0)
            throw std::logic_error("updated what was not peeked");
    }
};

class LedgerMaster
{
    std::map<uint256, std::shared_ptr<Ledger const>> ledgers_;

public:
    void
    add(std::shared_ptr<Ledger const> const& ledger)
    {
        ledgers_[ledger->info().hash] = ledger;
    }
    void
    forget()
    {
        ledgers_.clear();
    }
    std::shared_ptr<Ledger const>
    getLedgerByHash(uint256 const& hash)
    {
        auto const at = ledgers_.find(hash);
        return at == ledgers_.end() ? nullptr : at->second;
    }
};

struct Config
{
    std::uint32_t NETWORK_ID = 21337;
};

class Application
{
    Config config_;
    LedgerMaster ledgers_;

public:
    Config&
    config()
    {
        return config_;
    }
    LedgerMaster&
    getLedgerMaster()
    {
        return ledgers_;
    }
};

struct PreflightContext
{
    Application& app;
    STTx const& tx;
    Rules rules;
};

struct PreclaimContext
{
    Application& app;
    ReadView const& view;
    STTx const& tx;
};

class ApplyContext
{
    ApplyView& view_;

public:
    Application& app;
    STTx const& tx;

    ApplyContext(Application& application, ApplyView& view, STTx const& transaction)
        : view_(view), app(application), tx(transaction)
    {
    }
    ApplyView&
    view()
    {
        return view_;
    }
};

/// The base of all transactors, without what is common to their transactions.
class Transactor
{
protected:
    ApplyContext& ctx_;

    explicit Transactor(ApplyContext& ctx) : ctx_(ctx)
    {
    }

public:
    enum ConsequencesFactoryType { Normal, Blocker, Custom };

    virtual ~Transactor() = default;
    ApplyView&
    view()
    {
        return ctx_.view();
    }
    virtual void
    preCompute()
    {
    }
    virtual TER
    doApply() = 0;
    static XRPAmount
    calculateBaseFee(ReadView const& view, STTx const&)
    {
        return view.fees().base;
    }
};

inline NotTEC
preflight0(PreflightContext const&)
{
    return tesSUCCESS;
}

inline NotTEC
preflight1(PreflightContext const&)
{
    return tesSUCCESS;
}

inline NotTEC
preflight2(PreflightContext const&)
{
    return tesSUCCESS;
}

}  // namespace ripple
