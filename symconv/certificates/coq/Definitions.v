(* What a certificate's statement is made of: this page, and the statement itself, are all that a reader must believe. *)
Require Export ZArith List Bool.
Export ListNotations.
Open Scope Z_scope.

(* Values: any commutative ring. *)
Record CRing := {
  car :> Type; zero : car; one : car; add : car -> car -> car; mul : car -> car -> car; sub : car -> car -> car;
  opp : car -> car; laws : ring_theory zero one add mul sub opp eq }.
Arguments zero {_}. Arguments one {_}. Arguments add {_}. Arguments mul {_}. Arguments sub {_}. Arguments opp {_}.
(* The same with the integers among the values, and with reciprocals of those that are not 0 (1/0 is any value). *)
Record CField := {
  base :> CRing; inj : Z -> base; recip : Z -> base;
  inj_1 : inj 1 = one; inj_add : forall m n, inj (m + n) = add (inj m) (inj n);
  inj_mul : forall m n, inj (m * n) = mul (inj m) (inj n); recip_spec : forall n, n <> 0 -> mul (inj n) (recip n) = one }.
Arguments inj {_}. Arguments recip {_}.
Infix "⊕" := add (at level 50, left associativity).
Infix "·" := mul (at level 40, left associativity).

(* The integers lo, lo + 1, ..., hi; none where hi < lo. *)
Definition range (lo hi : Z) : list Z := map (fun k => lo + Z.of_nat k) (seq 0 (Z.to_nat (hi - lo + 1))).
Fixpoint sum {R : CRing} {A} (l : list A) (f : A -> R) : R :=
  match l with [] => zero | x :: rest => f x ⊕ sum rest f end.
Notation "'∑' x 'from' lo 'to' hi ',' e" := (sum (range lo hi) (fun x => e))
  (at level 60, x binder, lo at level 50, hi at level 50, e at level 60, right associativity).
(* A value where a condition holds, else 0; and the conditions.  n / d is rounded down. *)
Definition iv {R : CRing} (c : bool) (v : R) : R := if c then v else zero.
Definition inside (lo x hi : Z) : bool := (lo <=? x) && (x <=? hi).
Definition dvd (d n : Z) : bool := n mod d =? 0.

(* A total order of values, and the largest value over a list of taps; `none`, any value, stands for no tap at all. *)
Record Order (V : Type) := {
  le : V -> V -> bool; le_refl : forall x, le x x = true;
  le_trans : forall x y z, le x y = true -> le y z = true -> le x z = true;
  le_antisym : forall x y, le x y = true -> le y x = true -> x = y;
  le_total : forall x y, le x y = false -> le y x = true }.
Arguments le {_}. Arguments le_refl {_}. Arguments le_trans {_}. Arguments le_antisym {_}. Arguments le_total {_}.
Fixpoint max_of {V A} (order : Order V) (l : list A) (f : A -> V) : option V :=
  match l with
  | [] => None
  | x :: rest => match max_of order rest f with
                 | None => Some (f x) | Some m => Some (if le order m (f x) then f x else m) end end.
Definition value_or {V} (none : V) (found : option V) : V := match found with None => none | Some v => v end.
Definition maximum {V A} (order : Order V) (none : V) (l : list A) (f : A -> V) : V := value_or none (max_of order l f).
(* The largest of values of which some may be missing: a maximum of maxima, some of which may be over no tap. *)
Fixpoint max_among {V A} (order : Order V) (l : list A) (f : A -> option V) : option V :=
  match l with
  | [] => None
  | x :: rest => match f x, max_among order rest f with
                 | found, None => found | None, found => found
                 | Some v, Some m => Some (if le order m v then v else m) end end.

(* An ordered field, as the real numbers are one; 1/0 is any value. *)
Record OField := {
  values :> CField; order_of : Order values; inverse : values -> values; one_zero : @one values <> zero;
  order_add : forall a b c, le order_of a b = true -> le order_of (a ⊕ c) (b ⊕ c) = true;
  order_mul : forall a b, le order_of zero a = true -> le order_of zero b = true -> le order_of zero (a · b) = true;
  inverse_spec : forall a, a <> zero -> a · inverse a = one }.
Arguments order_of {_}. Arguments inverse {_}.
Notation "a ≼ b" := (le order_of a b = true) (at level 70).
(* Whether a value is larger, or no smaller, than the largest of some (`max_of`); than nothing, it always is. *)
Definition larger {V} (order : Order V) (v : V) (largest : option V) : bool :=
  match largest with None => true | Some m => negb (le order v m) end.
Definition no_smaller {V} (order : Order V) (v : V) (largest : option V) : bool :=
  match largest with None => true | Some m => le order m v end.
