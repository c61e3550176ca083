// Reference counting for everything that a handle can point to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace mpt {

class Object {
public:
    Object() = default;
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;
    virtual ~Object() = default;

    void retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
    void release() {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) dispose();
    }

protected:
    // The last reference has gone, on whatever thread.
    virtual void dispose() { delete this; }

private:
    friend class ObjectList;
    std::atomic<std::uint32_t> refs_{1};
    Object *next_ = nullptr;  // in the list that it is in
};

// Objects that wait for their end, chained through themselves: letting go of something must not need memory.
class ObjectList {
public:
    bool empty() const { return !first_; }
    void push(Object *object) {
        object->next_ = first_;
        first_ = object;
    }
    Object *pop() {
        Object *object = first_;
        first_ = object->next_;
        return object;
    }

private:
    Object *first_ = nullptr;
};

// An owning reference. Ref::take adopts a reference, Ref(p) adds one.
template <class T>
class Ref {
public:
    Ref() = default;
    Ref(std::nullptr_t) {}
    explicit Ref(T *p) : p_(p) {
        if (p_) p_->retain();
    }
    Ref(const Ref &o) : Ref(o.p_) {}
    Ref(Ref &&o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
    template <class U>
    Ref(const Ref<U> &o) : Ref(o.get()) {}
    Ref &operator=(Ref o) noexcept {
        std::swap(p_, o.p_);
        return *this;
    }
    ~Ref() {
        if (p_) p_->release();
    }

    static Ref take(T *p) {
        Ref r;
        r.p_ = p;
        return r;
    }
    T *detach() { return std::exchange(p_, nullptr); }  // hands the reference to a C caller
    T *get() const { return p_; }
    T *operator->() const { return p_; }
    T &operator*() const { return *p_; }
    explicit operator bool() const { return p_ != nullptr; }
    friend bool operator==(const Ref &a, const Ref &b) { return a.p_ == b.p_; }

private:
    T *p_ = nullptr;
};

template <class T, class... Args>
Ref<T> make(Args &&...args) {
    return Ref<T>::take(new T(std::forward<Args>(args)...));
}

}  // namespace mpt
